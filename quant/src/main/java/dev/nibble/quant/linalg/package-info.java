/**
 * Decompositions of matrices: EJML for the small ones, products by the kernels or on the heap for
 * the large ones.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.linalg;

import org.jspecify.annotations.NullMarked;
