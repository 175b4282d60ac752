/** Checkpoints to measure with. */
@NullMarked
package dev.nibble.examples.checkpoint;

import org.jspecify.annotations.NullMarked;
