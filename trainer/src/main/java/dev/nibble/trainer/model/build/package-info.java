/**
 * Builders of models: from a checkpoint, with an adapter, or of random weights; and their writer.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.model.build;

import org.jspecify.annotations.NullMarked;
