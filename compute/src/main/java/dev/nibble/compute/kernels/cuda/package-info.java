/**
 * The fast set for NVIDIA GPUs: own kernels through the CUDA driver, cuBLAS where it is found.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda;

import org.jspecify.annotations.NullMarked;
