/**
 * Calibration: quantising a model layer by layer, with what each linear map's inputs are on sample
 * data.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.calibration;

import org.jspecify.annotations.NullMarked;
