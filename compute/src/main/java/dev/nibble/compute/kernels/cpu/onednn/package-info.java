/**
 * oneDNN's C interface: {@code OneDnn} is what the rest of the project sees of it.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.onednn;

import org.jspecify.annotations.NullMarked;
