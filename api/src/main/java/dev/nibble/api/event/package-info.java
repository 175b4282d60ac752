/** What runs tell while they go on. */
@NullMarked
package dev.nibble.api.event;

import org.jspecify.annotations.NullMarked;
