/**
 * Cross-entropy on the CPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.loss;

import org.jspecify.annotations.NullMarked;
