/**
 * SpQR: integers of a few bits in small groups, whose scales and zero points are quantised in turn,
 * and outliers apart.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.spqr;

import org.jspecify.annotations.NullMarked;
