/**
 * Tools that all kernels of the CPU share: workers, their scratch, parallel loops, vectors,
 * conversions.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.work;

import org.jspecify.annotations.NullMarked;
