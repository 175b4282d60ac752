/**
 * Optimizer steps on the CPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.optimizers;

import org.jspecify.annotations.NullMarked;
