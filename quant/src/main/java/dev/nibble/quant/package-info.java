/** Weights that do not train, in NF4 or FP4 or as stored. */
@NullMarked
package dev.nibble.quant;

import org.jspecify.annotations.NullMarked;
