/**
 * QuIP#: weights made incoherent by random Hadamard transforms on both sides, and rounded eight at
 * a time to points of the E8 lattice.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.quip;

import org.jspecify.annotations.NullMarked;
