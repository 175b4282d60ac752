/**
 * Attention on a GPU.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cuda.attention;

import org.jspecify.annotations.NullMarked;
