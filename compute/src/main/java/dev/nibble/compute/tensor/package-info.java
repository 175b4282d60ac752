/**
 * Typed memory and who owns it. No arithmetic: that is {@code dev.nibble.compute.kernels}.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.tensor;

import org.jspecify.annotations.NullMarked;
