/**
 * cuBLAS' C interface: {@code CublasHandle} is what the project uses of it.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.cublas;

import org.jspecify.annotations.NullMarked;
