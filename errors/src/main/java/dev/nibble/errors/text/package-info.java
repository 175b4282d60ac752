/**
 * Words for errors in texts.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.errors.text;

import org.jspecify.annotations.NullMarked;
