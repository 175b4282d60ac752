/** Events: reports of a run's progress. */
@NullMarked
package dev.nibble.api.event;

import org.jspecify.annotations.NullMarked;
