"""Task synthesis: requests, calls, results and rationales over the documents of any toolbox."""
