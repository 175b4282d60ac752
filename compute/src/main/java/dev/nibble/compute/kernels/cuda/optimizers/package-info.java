/** Optimizer steps on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.optimizers;

import org.jspecify.annotations.NullMarked;
