/**
 * Attention on the CPU, in blocks of queries and keys.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.compute.kernels.cpu.attention;

import org.jspecify.annotations.NullMarked;
