/**
 * The fast kernel set for the CPU: oneDNN's matrix product and loops of vectors.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu;

import org.jspecify.annotations.NullMarked;
