/** Decoder-only language models: what callers see of one, and how to ask for one. */
@NullMarked
package dev.nibble.trainer.model;

import org.jspecify.annotations.NullMarked;
