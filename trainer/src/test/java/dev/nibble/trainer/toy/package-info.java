/** A language model small enough to check by hand, for tests of everything around a model. */
@NullMarked
package dev.nibble.trainer.toy;

import org.jspecify.annotations.NullMarked;
