/**
 * Matrices in codes of a table, with a scale for each block of weights: what formats of any table
 * share, and formats to compare others with, which no checkpoint stores.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.codebook;

import org.jspecify.annotations.NullMarked;
