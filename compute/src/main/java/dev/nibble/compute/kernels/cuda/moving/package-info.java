/** Filling, copying and gathering on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.moving;

import org.jspecify.annotations.NullMarked;
