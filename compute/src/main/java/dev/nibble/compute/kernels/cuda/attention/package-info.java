/** Attention on a GPU. */
@NullMarked
package dev.nibble.compute.kernels.cuda.attention;

import org.jspecify.annotations.NullMarked;
