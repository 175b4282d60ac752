/** Optimizer steps on the CPU. */
@NullMarked
package dev.nibble.compute.kernels.cpu.optimizers;

import org.jspecify.annotations.NullMarked;
