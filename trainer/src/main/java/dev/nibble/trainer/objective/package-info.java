/**
 * Objectives: the losses that a model's outputs for a batch are judged by.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.objective;

import org.jspecify.annotations.NullMarked;
