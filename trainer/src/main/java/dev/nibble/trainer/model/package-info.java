/**
 * Decoder-only language models: what callers see of one, and how to ask for one.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.model;

import org.jspecify.annotations.NullMarked;
