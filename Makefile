# Every target is the ./run command of the same name; what they do is written there.
.PHONY: help demo test check lint bench rtl golden notebooks clean
help demo test check lint bench rtl golden notebooks clean:
	@./run $@
