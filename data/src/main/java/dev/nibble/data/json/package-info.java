/**
 * Values of JSON text, with errors in plain words; the only reader of JSON that users wrote.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.json;

import org.jspecify.annotations.NullMarked;
