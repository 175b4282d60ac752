/**
 * RMSNorm and rotary position embedding on the CPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.norms;

import org.jspecify.annotations.NullMarked;
