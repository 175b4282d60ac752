/** A small trainer of byte-level byte-pair encodings. */
@NullMarked
package dev.nibble.examples.bpe;

import org.jspecify.annotations.NullMarked;
