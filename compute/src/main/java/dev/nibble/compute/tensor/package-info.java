/** Typed memory and who owns it. No arithmetic: that is {@code dev.nibble.compute.kernels}. */
@NullMarked
package dev.nibble.compute.tensor;

import org.jspecify.annotations.NullMarked;
