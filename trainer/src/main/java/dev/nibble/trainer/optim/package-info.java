/**
 * Optimizer, learning-rate schedules and gradient clipping.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.optim;

import org.jspecify.annotations.NullMarked;
