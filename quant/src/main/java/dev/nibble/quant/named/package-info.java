/**
 * Weight formats by name.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.named;

import org.jspecify.annotations.NullMarked;
