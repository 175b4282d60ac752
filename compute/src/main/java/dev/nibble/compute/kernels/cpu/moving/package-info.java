/**
 * Filling, copying and gathering on the CPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.moving;

import org.jspecify.annotations.NullMarked;
