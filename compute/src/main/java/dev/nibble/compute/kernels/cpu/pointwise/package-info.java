/**
 * Operations on each element or column on the CPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.pointwise;

import org.jspecify.annotations.NullMarked;
