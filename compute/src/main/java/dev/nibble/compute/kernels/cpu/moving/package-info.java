/** Filling, copying and gathering on the CPU. */
@NullMarked
package dev.nibble.compute.kernels.cpu.moving;

import org.jspecify.annotations.NullMarked;
