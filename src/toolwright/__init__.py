"""toolwright: tools made once by a strong model, proved, and answering for ever."""
