/**
 * Linear maps on the CPU: matrix products with dense and with quantised weights, and quantisation.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.products;

import org.jspecify.annotations.NullMarked;
