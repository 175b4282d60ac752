/**
 * Layers with explicit forward and backward passes, and the decoder that stacks them.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.model.layers;

import org.jspecify.annotations.NullMarked;
