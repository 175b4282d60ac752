/**
 * Filling, copying and gathering on a GPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.moving;

import org.jspecify.annotations.NullMarked;
