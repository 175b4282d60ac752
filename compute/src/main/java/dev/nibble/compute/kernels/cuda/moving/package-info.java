/** Filling, copying, and choosing rows or columns on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.moving;

import org.jspecify.annotations.NullMarked;
