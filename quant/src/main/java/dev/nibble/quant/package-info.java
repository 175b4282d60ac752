@NullMarked
package dev.nibble.quant;

import org.jspecify.annotations.NullMarked;
