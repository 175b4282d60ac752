/**
 * How good a model is: loss on held-out batches, accuracy of generated answers, and a simple
 * baseline beside them.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.evaluation;

import org.jspecify.annotations.NullMarked;
