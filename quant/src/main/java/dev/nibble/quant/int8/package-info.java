/**
 * 8-bit integers in groups, in the layout of compressed-tensors.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.int8;

import org.jspecify.annotations.NullMarked;
