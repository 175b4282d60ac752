/**
 * bitsandbytes' 4-bit formats, NF4 and FP4, to the bit.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.bnb;

import org.jspecify.annotations.NullMarked;
