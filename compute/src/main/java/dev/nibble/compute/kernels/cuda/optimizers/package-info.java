/**
 * Optimizer steps on a GPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.optimizers;

import org.jspecify.annotations.NullMarked;
