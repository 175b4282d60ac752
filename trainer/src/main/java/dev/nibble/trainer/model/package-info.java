/** Decoder-only language models with explicit forward and backward passes. */
@NullMarked
package dev.nibble.trainer.model;

import org.jspecify.annotations.NullMarked;
