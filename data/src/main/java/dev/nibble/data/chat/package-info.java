/**
 * Conversations, chat templates that render them as text, and the spans that are trained on.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.chat;

import org.jspecify.annotations.NullMarked;
