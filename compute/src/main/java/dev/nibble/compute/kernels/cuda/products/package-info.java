/**
 * Linear maps on a GPU: matrix products with dense and with quantised weights, and quantisation.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.products;

import org.jspecify.annotations.NullMarked;
