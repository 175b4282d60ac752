/**
 * Drawings as SVG, for light and for dark pages.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.plot;

import org.jspecify.annotations.NullMarked;
