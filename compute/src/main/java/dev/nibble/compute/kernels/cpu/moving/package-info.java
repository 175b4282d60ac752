/** Filling, copying, and choosing rows or columns on the CPU. */
@NullMarked
package dev.nibble.compute.kernels.cpu.moving;

import org.jspecify.annotations.NullMarked;
