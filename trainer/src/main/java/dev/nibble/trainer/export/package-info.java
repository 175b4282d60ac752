/**
 * What was trained, written for other tools: merged checkpoints, and how well they agree.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.trainer.export;

import org.jspecify.annotations.NullMarked;
