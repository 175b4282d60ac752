/**
 * Text to token ids and back; the only package that knows the native tokenizer.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.tokenizer;

import org.jspecify.annotations.NullMarked;
