/** Optimizer, learning-rate schedules and gradient clipping. */
@NullMarked
package dev.nibble.trainer.optim;

import org.jspecify.annotations.NullMarked;
